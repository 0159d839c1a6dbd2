"""Who owns what, how many could leave, and how a second owner gets there."""
