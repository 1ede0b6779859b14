"""Gates by the name under which the report still imports them."""

from calibrate.gates import Gate, measure_gates

__all__ = ["Gate", "measure_gates"]
