"""A bundle made callable in this process: one file per engine, golden cases replayed."""

from sealane.runtime.inputs import InputParser as InputParser
from sealane.runtime.onnx import OnnxEngine as OnnxEngine
from sealane.runtime.onnx import OnnxOptions as OnnxOptions
from sealane.runtime.opening import ParityWarning as ParityWarning
from sealane.runtime.opening import ReplayMode as ReplayMode
from sealane.runtime.opening import open_session as open_session
from sealane.runtime.replay import CaseResult as CaseResult
from sealane.runtime.replay import Replay as Replay
from sealane.runtime.replay import replay_golden as replay_golden
from sealane.runtime.session import Engine as Engine
from sealane.runtime.session import EngineSession as EngineSession
from sealane.runtime.session import Session as Session
from sealane.runtime.tensorflow import TensorflowEngine as TensorflowEngine
