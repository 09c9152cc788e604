"""Views that answer to the reader: one self-contained frame each, drawn without a network."""
