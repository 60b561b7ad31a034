"""What one can type: `tunelings …`."""
