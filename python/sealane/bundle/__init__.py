"""The model on disk: manifest, golden cases, verdicts, writer, and the reader that trusts nothing."""

from sealane.bundle.golden import GoldenCase as GoldenCase
from sealane.bundle.limits import ReaderLimits as ReaderLimits
from sealane.bundle.manifest import Bindings as Bindings
from sealane.bundle.manifest import FileEntry as FileEntry
from sealane.bundle.manifest import GoldenRef as GoldenRef
from sealane.bundle.manifest import Manifest as Manifest
from sealane.bundle.manifest import ManifestLimits as ManifestLimits
from sealane.bundle.manifest import Preprocess as Preprocess
from sealane.bundle.manifest import Requires as Requires
from sealane.bundle.manifest import Tolerance as Tolerance
from sealane.bundle.manifest import Unavailable as Unavailable
from sealane.bundle.manifest import Variant as Variant
from sealane.bundle.manifest_parser import parse_manifest as parse_manifest
from sealane.bundle.policy import Policy as Policy
from sealane.bundle.reader import Artifact as Artifact
from sealane.bundle.reader import VerifiedBundle as VerifiedBundle
from sealane.bundle.reader import read_bundle as read_bundle
from sealane.bundle.verdict import OutputMetrics as OutputMetrics
from sealane.bundle.verdict import Verdict as Verdict
from sealane.bundle.verdict import compare_output as compare_output
from sealane.bundle.verdict import judge as judge
from sealane.bundle.writer import ArtifactDraft as ArtifactDraft
from sealane.bundle.writer import BundleDraft as BundleDraft
from sealane.bundle.writer import write_bundle as write_bundle
