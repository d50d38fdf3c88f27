"""Reads, checks, asks, fires and draws the workflows of `workflows/*.toml`; pure, knows no database."""

from docctl.workflow.definition import Seat, State, Trigger, Workflow
from docctl.workflow.drawing import draw, table
from docctl.workflow.moving import Act, acts, fire, refusal, seat_for, waiting_for
from docctl.workflow.problems import Problem, WorkflowError
from docctl.workflow.reading import load, load_folder, parse

__all__ = [
    "Act",
    "Problem",
    "Seat",
    "State",
    "Trigger",
    "Workflow",
    "WorkflowError",
    "acts",
    "draw",
    "fire",
    "load",
    "load_folder",
    "parse",
    "refusal",
    "seat_for",
    "table",
    "waiting_for",
]
