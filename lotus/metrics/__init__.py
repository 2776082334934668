"""What is measured: pure functions of predictions. Nothing here needs torch or a GPU."""
