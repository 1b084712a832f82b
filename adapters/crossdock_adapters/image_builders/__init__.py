"""What builds images."""
