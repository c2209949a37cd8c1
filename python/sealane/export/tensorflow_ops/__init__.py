"""The closed table of ONNX operators that have a TensorFlow form."""

from sealane.export.tensorflow_ops import elementwise as elementwise
from sealane.export.tensorflow_ops import indexing as indexing
from sealane.export.tensorflow_ops import linear as linear
from sealane.export.tensorflow_ops import recurrent as recurrent
from sealane.export.tensorflow_ops import shapes as shapes
from sealane.export.tensorflow_ops import spatial as spatial
from sealane.export.tensorflow_ops.node import TABLE as TABLE
from sealane.export.tensorflow_ops.node import Node as Node
from sealane.export.tensorflow_ops.node import Value as Value
from sealane.export.tensorflow_ops.node import attributes_of as attributes_of
from sealane.export.tensorflow_ops.node import is_array as is_array

__all__ = ["TABLE", "Node", "Value", "attributes_of", "is_array"]
