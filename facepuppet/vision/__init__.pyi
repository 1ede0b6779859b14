from .boxes import FaceBox as FaceBox
from .boxes import face_box as face_box
from .face_mesh import FaceMesh as FaceMesh
from .quiet import quiet_native_logs as quiet_native_logs
from .still import FaceMesher as FaceMesher
