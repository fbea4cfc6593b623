"""Who may do what: roles, actors, the scope of a review, and the one table of permissions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from labelkit.errors import PermissionDenied, UnfreezePermissionRequired


class Role(IntEnum):
    """Roles in a workspace, weakest first; each includes the ones below it."""

    VIEWER = 1
    ANNOTATOR = 2
    REVIEWER = 3
    LEAD = 4
    OWNER = 5

    @property
    def word(self) -> str:
        """Return the role as people write it."""
        return self.name.lower()


class Action(StrEnum):
    """Every action that needs permission."""

    READ = "read"
    EDIT = "edit"
    IMPORT = "import"
    APPROVE_PACK = "approve a pack"
    PUBLISH = "publish"
    SET_ELIGIBILITY = "set dataset eligibility"
    BUILD = "build"
    OVERRIDE_WARNINGS = "override publish warnings"
    INCLUDE_REVIEWED = "include reviewed revisions"
    RULE_NEAR_DUPLICATES = "rule on near-duplicates"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    TRAIN = "train"
    EVALUATE = "evaluate"
    SET_QUALITY_RULES = "set quality rules"
    COMMIT = "commit a version"
    SET_VERSION_NAMES = "tag, branch, merge or revert versions"
    LABEL_EXAMPLE = "label an example"
    JUDGE_EXAMPLE = "validate an example"
    REGISTER_EXAMPLE_TYPE = "register an example type"
    COLLECT = "remove what nothing names"
    MANAGE_WORKSPACE = "manage the workspace"


@dataclass(frozen=True, slots=True)
class Rule:
    """An action is open to a role and up, or to the named internal flags."""

    least: Role | None
    developer: bool = False
    support: bool = False

    @property
    def needs(self) -> str:
        """Say in words who may."""
        who = [f"{self.least.word} or above"] if self.least else []
        who += ["a developer"] if self.developer else []
        who += ["support"] if self.support else []
        return " or ".join(who)


PERMISSIONS: dict[Action, Rule] = {
    Action.READ: Rule(Role.VIEWER, developer=True, support=True),
    Action.EDIT: Rule(Role.ANNOTATOR),
    Action.IMPORT: Rule(Role.ANNOTATOR),
    Action.APPROVE_PACK: Rule(Role.REVIEWER),
    Action.PUBLISH: Rule(Role.REVIEWER),
    Action.SET_ELIGIBILITY: Rule(Role.REVIEWER),
    Action.BUILD: Rule(Role.REVIEWER),
    Action.OVERRIDE_WARNINGS: Rule(Role.LEAD, developer=True),
    Action.INCLUDE_REVIEWED: Rule(None, developer=True),
    Action.RULE_NEAR_DUPLICATES: Rule(Role.REVIEWER),
    Action.FREEZE: Rule(None, developer=True, support=True),
    Action.UNFREEZE: Rule(None, developer=True),
    Action.TRAIN: Rule(Role.VIEWER, developer=True, support=True),
    Action.EVALUATE: Rule(Role.VIEWER, developer=True, support=True),
    Action.SET_QUALITY_RULES: Rule(Role.LEAD, developer=True),
    Action.COMMIT: Rule(Role.ANNOTATOR),
    Action.SET_VERSION_NAMES: Rule(Role.REVIEWER),
    Action.LABEL_EXAMPLE: Rule(Role.ANNOTATOR),
    Action.JUDGE_EXAMPLE: Rule(Role.REVIEWER),
    Action.REGISTER_EXAMPLE_TYPE: Rule(Role.REVIEWER),
    Action.COLLECT: Rule(Role.OWNER, developer=True),
    Action.MANAGE_WORKSPACE: Rule(Role.OWNER, developer=True),
}

# Actions whose refusal has a code of its own.
REFUSALS: dict[Action, type[PermissionDenied]] = {Action.UNFREEZE: UnfreezePermissionRequired}


@dataclass(frozen=True, slots=True)
class Actor:
    """A user with internal flags and a role in each workspace they belong to, by workspace id."""

    user: str
    roles: dict[str, Role] = field(default_factory=dict)
    is_developer: bool = False
    is_support: bool = False

    def may(self, action: Action, workspace: str) -> bool:
        """Say whether the table lets this actor do it in that workspace (id)."""
        rule = PERMISSIONS[action]
        role = self.roles.get(workspace)
        by_role = rule.least is not None and role is not None and role >= rule.least
        return by_role or (rule.developer and self.is_developer) or (rule.support and self.is_support)

    def refusal(self, action: Action, workspace: str, name: str | None = None) -> PermissionDenied:
        """Return the refusal that names what is needed and what the actor is in the workspace (id); `name` is what people call it."""
        role = self.roles.get(workspace)
        return REFUSALS.get(action, PermissionDenied)(
            user=self.user,
            action=action.value,
            workspace=name or workspace,
            needs=PERMISSIONS[action].needs,
            role=f"a{'n' if role in (Role.ANNOTATOR, Role.OWNER) else ''} {role.word}" if role else "no member",
        )


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """The unit of review: one capability on one media of a workspace; workspace and media by id."""

    workspace: str
    media: str
    capability: str

    @property
    def key(self) -> str:
        """Return the scope as one text, the key of its head rows."""
        return f"{self.workspace}/{self.media}/{self.capability}"
