"""What this machine can do: checked, compared, measured."""
