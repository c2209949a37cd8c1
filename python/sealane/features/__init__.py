"""Feature transforms of tabular columns, declared once and compiled into the exported graph."""

from sealane.features.categorical import Bucketize as Bucketize
from sealane.features.categorical import Lookup as Lookup
from sealane.features.categorical import OneHot as OneHot
from sealane.features.dates import DateParts as DateParts
from sealane.features.declaration import Features as Features
from sealane.features.declare import Chain as Chain
from sealane.features.declare import Column as Column
from sealane.features.declare import Transform as Transform
from sealane.features.fitted import FittedFeatures as FittedFeatures
from sealane.features.fitted import Group as Group
from sealane.features.numeric import Clip as Clip
from sealane.features.numeric import Impute as Impute
from sealane.features.numeric import Log as Log
from sealane.features.numeric import Log1p as Log1p
from sealane.features.numeric import MinMax as MinMax
from sealane.features.numeric import Normalize as Normalize
from sealane.features.numeric import Passthrough as Passthrough

__all__ = [
    "Bucketize",
    "Chain",
    "Clip",
    "Column",
    "DateParts",
    "Features",
    "FittedFeatures",
    "Group",
    "Impute",
    "Log",
    "Log1p",
    "Lookup",
    "MinMax",
    "Normalize",
    "OneHot",
    "Passthrough",
    "Transform",
]
