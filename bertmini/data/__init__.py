"""Text becomes batches; knows no model."""
