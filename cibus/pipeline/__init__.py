"""Running Jenkinsfiles on this machine."""
