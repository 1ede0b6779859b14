from .deltas import Deltas as Deltas
from .gains import Gains as Gains
from .lids import draw_fold as draw_fold
from .lids import place_lids as place_lids
from .manner import Manner as Manner
from .retargeter import Retargeter as Retargeter
from .target import Target as Target
