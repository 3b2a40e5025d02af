"""What became of episodes and of clusters that price came to."""
