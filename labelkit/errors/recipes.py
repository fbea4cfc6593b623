"""Refusals of recipes."""

from __future__ import annotations

from labelkit.errors.base import LabelkitError


class RecipeNotFound(LabelkitError):
    code = "RECIPE_NOT_FOUND"
    status = 404
    title = "No such recipe"
    template = "There is no notebook {recipe!r}.{near}"
    advice = "Name a notebook file, or one that comes with labelkit: {known}."


class RecipeParametersInvalid(LabelkitError):
    code = "RECIPE_PARAMETERS_INVALID"
    status = 400
    title = "The parameters do not fit the recipe"
    template = "{recipe}: {faults}."
    advice = "Its parameters are: {known}. No kernel was started."


class RecipeRefused(LabelkitError):
    code = "RECIPE_REFUSED"
    status = 422
    title = "The recipe was refused"
    template = "{recipe} stopped in the cell {cell!r} with {message}"
    advice = "Follow that hint; the executed notebook is kept in {notebook}."


class RecipeFailed(LabelkitError):
    code = "RECIPE_FAILED"
    status = 500
    title = "The recipe raised an error"
    template = "{recipe} stopped in the cell {cell!r} with {error}: {message}"
    advice = "Open the executed notebook, in which the cell is marked: {notebook}."


class RecipeKernelDied(LabelkitError):
    code = "RECIPE_KERNEL_DIED"
    status = 500
    title = "The kernel died"
    template = "{recipe} lost its kernel in the cell {cell!r}: {reason}"
    advice = "Most often memory ran out: choose fewer packs, or a larger machine. The notebook is kept in {notebook}."


class RecipeTimedOut(LabelkitError):
    code = "RECIPE_TIMED_OUT"
    status = 504
    title = "The recipe took too long"
    template = "{recipe} did not end within {timeout_s:g} s; it was in the cell {cell!r}."
    advice = "Give it more time with timeout_s (on the command line --timeout). The notebook is kept in {notebook}."
