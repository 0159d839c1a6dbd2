"""What a Jenkins has configured: snapshots of it, what changed between two, and how to bring it back."""
