"""What a user calls: bundles opened, inspected, verified, compared, exported and trained."""

from sealane.api.bundle import Bundle as Bundle
from sealane.api.bundle import inspect as inspect
from sealane.api.bundle import verify as verify
from sealane.api.difference import Difference as Difference
from sealane.api.difference import diff as diff
from sealane.api.exporting import export as export
from sealane.api.finetuning import FineTuned as FineTuned
from sealane.api.finetuning import finetune as finetune
from sealane.api.opening import open_bundle as open_bundle
from sealane.api.verification import Verification as Verification
from sealane.api.verification import VerificationRow as VerificationRow
from sealane.bundle.training_trace import Optimizer as Optimizer
from sealane.export.network import TrainingTrace as TrainingTrace
