"""Is every artifact what its record says, and what the present code and configuration would make?

Uses plan, records, tracking and what lies below; no torch.
"""
