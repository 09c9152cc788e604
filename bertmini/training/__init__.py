"""Train any module whose output has `.loss`: one loop, AdamW and schedules, checkpoints that resume to the bit."""
