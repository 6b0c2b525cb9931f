"""What other systems need to run a worker: a unit for systemd, objects for Kubernetes."""
