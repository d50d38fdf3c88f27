"""Internal audits: plan, samples from the master list, the walk with a checklist, findings, and what is done about them."""

from docctl.internal_audits import auditing, checklist, findings, sampling
from docctl.internal_audits.auditing import all_audits, load, may_see, open_audit
from docctl.internal_audits.findings import GRADES, SIDES, raise_finding
from docctl.internal_audits.sampling import VERDICTS, choose, draw, walk
from docctl.internal_audits.table import FINDING, PROOF, Answer, Draw, Evidence, InternalAudit, Nonconformity, Sample

__all__ = [
    "FINDING",
    "GRADES",
    "PROOF",
    "SIDES",
    "VERDICTS",
    "Answer",
    "Draw",
    "Evidence",
    "InternalAudit",
    "Nonconformity",
    "Sample",
    "all_audits",
    "auditing",
    "checklist",
    "choose",
    "draw",
    "findings",
    "load",
    "may_see",
    "open_audit",
    "raise_finding",
    "sampling",
    "walk",
]
