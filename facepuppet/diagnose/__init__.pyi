from .bench import driver_clip as driver_clip
from .bench import run_bench as run_bench
from .bench import square_portrait as square_portrait
from .verify import HALF as HALF
from .verify import Exact as Exact
from .verify import engines_of as engines_of
from .verify import record as record
