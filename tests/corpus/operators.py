"""The operators a SavedModel may use, taken from TensorFlow's registry.

Allowed are the operators that TensorFlow itself calls stateless, less those that reach outside
the process all the same (files, protos by path, debuggers, datasets, other devices and hosts),
plus the stateful ones that only touch the model's own variables, tables and random state.
"""

from __future__ import annotations

import re

# Stateless by TensorFlow's book, yet they read files, call out, or belong to other machinery.
REACHES_OUT = re.compile(
    r"^_|Dataset|Iterator|File|Summary|Debug|Checkpoint|TPU|Xla|XLA|Infeed|Outfeed|Collective|Nccl"
    r"|Rpc|Session|RemoteFused|VocabRemapping|Experimental|Stub|^Test|^Copy|Mlir|Proto|ImmutableConst"
    r"|^Batch$|BatchFunction|^Unbatch|Mesh|Relayout|DTensor|Shardy|Options|Element$|HostSend|HostRecv"
    r"|^Save|^Restore|ShardedFilename|Print|Fetch|Topology|Embedding|Device|RunGraph|Partitioner"
    r"|PyFunc|^Abort$|^Queue|^Reader|^Barrier|Accumulator|Deadline|TpuTask|DecodeCompressed|Dedup"
    r"|SparseCore|KernelLabel|^Sdca|CheckPinned|Prelinearize|HostConst|FuncAttr|FuncListAttr"
)
# Checked by hand: they touch nothing but the model's own state.
OWN_STATE = (
    *(
        "If",
        "While",
        "Case",
        "StatefulPartitionedCall",
        "Assert",
        "CheckNumerics",
        "CheckNumericsV2",
    ),
    *("VarHandleOp", "ReadVariableOp", "AssignVariableOp", "AssignAddVariableOp"),
    *("AssignSubVariableOp", "VarIsInitializedOp", "VariableShape", "DisableCopyOnRead"),
    *("DestroyResourceOp", "ResourceGather", "ResourceGatherNd", "Variable", "VariableV2"),
    *("HashTable", "HashTableV2", "AnonymousHashTable", "MutableHashTable", "MutableHashTableV2"),
    *("MutableHashTableOfTensors", "MutableHashTableOfTensorsV2", "MutableDenseHashTable"),
    *("MutableDenseHashTableV2", "AnonymousMutableHashTable", "AnonymousMutableHashTableOfTensors"),
    *("AnonymousMutableDenseHashTable", "InitializeTableV2", "LookupTableFindV2"),
    *("LookupTableImportV2", "LookupTableExportV2", "LookupTableSizeV2", "LookupTableInsertV2"),
    *("LookupTableRemoveV2", "GuaranteeConst", "IsTensorFloat32Enabled", "Empty", "DeepCopy"),
    *(
        "RandomUniform",
        "RandomUniformInt",
        "RandomStandardNormal",
        "TruncatedNormal",
        "Multinomial",
    ),
    *("RandomShuffle", "RandomGamma", "RandomPoissonV2", "ParameterizedTruncatedNormal"),
    *("StatelessRandomGetAlg", "RngReadAndSkip", "RngSkip", "StatefulUniform"),
    *("StatefulUniformFullInt", "StatefulUniformInt", "StatefulStandardNormalV2"),
    *("StatefulTruncatedNormal", "StatefulRandomBinomial"),
    *("TensorArrayV3", "TensorArrayReadV3", "TensorArrayWriteV3", "TensorArraySizeV3"),
    *("TensorArrayGatherV3", "TensorArrayScatterV3", "TensorArrayConcatV3", "TensorArraySplitV3"),
    *("TensorArrayCloseV3", "StackV2", "StackPushV2", "StackPopV2", "StackCloseV2"),
)
SAVE = ("Save", "SaveSlices", "SaveV2", "MergeV2Checkpoints")
RESTORE = ("Restore", "RestoreSlice", "RestoreV2")
SAVER_NAMES = ("ShardedFilename", "StaticRegexFullMatch")


def operator_table() -> dict[str, object]:
    """The table as it stands in ``savedmodel_ops.json``."""
    from tensorflow import raw_ops
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.client import pywrap_tf_session
    from tensorflow.python.framework.versions import VERSION

    registry = op_def_pb2.OpList()
    registry.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    known = {each.name for each in registry.op}
    pure = {
        each.name
        for each in registry.op
        if not each.is_stateful
        and not REACHES_OUT.search(each.name)
        and hasattr(raw_ops, each.name)  # the registry also holds operators of TensorFlow's tests
    }
    missing = {*OWN_STATE, *SAVE, *RESTORE, *SAVER_NAMES} - known
    if missing:
        raise ValueError(f"TensorFlow {VERSION} has no operators {sorted(missing)}")
    return {
        "description": (
            "Operators a SavedModel may use. compute: anywhere; save and restore: only where the "
            "saver's save tensor, respectively its restore operator, leads and no signature does. "
            f"Made from the registry of TensorFlow {VERSION} by tests/corpus/operators.py."
        ),
        "compute": sorted({*pure, *OWN_STATE, *SAVER_NAMES}),
        "save": sorted(SAVE),
        "restore": sorted(RESTORE),
    }
