"""What is watched for readiness, and the transports over it."""
