"""What an operator can do, one use case a file; admin, command and API all call these."""
