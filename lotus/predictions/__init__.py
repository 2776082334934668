"""What models say of images, as files: logits, and Grad-CAM maps. All that is said of a model starts here.

Uses records and what lies below; no torch.
"""
