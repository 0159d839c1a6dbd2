"""Real Linux hosts for tests: booted, with sshd, each in a network of its own."""
