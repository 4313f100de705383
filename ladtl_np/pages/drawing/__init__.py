"""What draws the figures: the pen, the kinds of figures, fonts."""
