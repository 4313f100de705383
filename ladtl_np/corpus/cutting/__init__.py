"""Raw text into tokens and sentences, cut as the training data are.               docs/tokens.md"""
