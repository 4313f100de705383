"""What a trained model is and does: network and file, decoding, tagging, scores."""
