"""The nouns, each promised in sentences of the business."""
