"""What commands are made of; none is a command itself."""
