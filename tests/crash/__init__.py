"""Power loss: what was written is recorded, and every state that the disk could be left in is made and tried."""
