"""What a user calls: bundles opened, inspected, verified, compared and exported."""

from sealane.api.bundle import Bundle as Bundle
from sealane.api.bundle import inspect as inspect
from sealane.api.bundle import verify as verify
from sealane.api.difference import Difference as Difference
from sealane.api.difference import diff as diff
from sealane.api.exporting import export as export
from sealane.api.opening import open_bundle as open_bundle
from sealane.api.verification import Verification as Verification
from sealane.api.verification import VerificationRow as VerificationRow
