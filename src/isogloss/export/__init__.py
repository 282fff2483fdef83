"""A model folder as ONNX for onnxruntime: for some languages alone and in int8 if asked, compared before it is kept.

    done = export(ExportSettings(model="runs/nli", output="nli-onnx", languages=("en", "sw"), int8=True))
    done.bytes, done.source_bytes, done.outputs         # of each output, how much it differs on the probes
    isogloss.load("nli-onnx").classify(["…"])           # by onnxruntime

``write`` does it, ``parity`` compares graph and model on the same ids, ``check`` the folder and the model it was made
from on texts or labelled files, ``coverage`` says what a smaller vocabulary no longer knows, ``outcome`` what is
in the report, and ``card`` how to run it.
"""

from isogloss.export.check import Checked
from isogloss.export.coverage import Coverage
from isogloss.export.outcome import Export
from isogloss.export.parity import OutputDifference
from isogloss.export.settings import ExportSettings
from isogloss.export.write import export

__all__ = ["Checked", "Coverage", "Export", "ExportSettings", "OutputDifference", "export"]
