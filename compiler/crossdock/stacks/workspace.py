"""Every verb on stacks and components; the client and the command line call it and nothing below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossdock.dsl.errors import BadInput, did_you_mean
from crossdock.stacks.active import Active, activate, active_stack, forget
from crossdock.stacks.components import Components, check_component, component_type, or_error
from crossdock.stacks.definitions import (
    COMPONENT_TYPES,
    DEFAULT,
    REQUIRED,
    SEVERAL,
    ComponentDefinition,
    StackDefinition,
    dashed,
    one,
    title,
)
from crossdock.stacks.exchange import exported, read_exported
from crossdock.stacks.files import DefinitionFiles

if TYPE_CHECKING:
    from crossdock.stacks.base import Stack

Members = Mapping[str, str | Sequence[str]]
"""Names of components by type."""


class Workspace(Components):
    """The stacks and components that hold in a folder.

    Args:
        start: where the project is looked for; None is the working folder.
        user: new definitions go to the user's folder instead of the project's.
    """

    def __init__(self, start: Path | None = None, *, user: bool = False) -> None:
        self._start = start
        self.files = DefinitionFiles(start, user=user)

    # Stacks

    def stacks(self) -> list[StackDefinition]:
        """All stacks whose files are whole."""
        return [found for found in self.survey().values() if isinstance(found, StackDefinition)]

    def survey(self) -> dict[str, StackDefinition | BadInput]:
        """All stacks by name; where a file is damaged, the error in its place."""
        return {name: or_error(self.files.stack, name) for name in self.files.stack_names()}

    def active(self, given: str | None = None) -> Active:
        """The active stack's name, and what decided it."""
        return active_stack(given, self._start)

    def create_stack(
        self, name: str, components: Members, *, description: str = "", guardrails: Mapping[str, Any] | None = None
    ) -> StackDefinition:
        """Define a stack.

        Raises:
            BadInput: there is one of that name, or a component is not there.
        """
        for type_ in REQUIRED:
            if not components.get(type_):
                flag = "-o" if type_ == "orchestrator" else "-a"
                names = ", ".join(self.files.component_names(type_))
                raise BadInput(f"a stack has {one(type_)}", hint=f"{flag} NAME, one of: {names}", id="bad-definition")
        with self.files.locked():
            stack = StackDefinition(
                name, self._spelled(components), description, dict(guardrails or {}), level=self.files.level
            )
            self._check(stack)
            self.files.write(stack, new=True)
        return self.files.stack(name)

    def update_stack(
        self,
        name: str,
        components: Members | None = None,
        *,
        remove: Iterable[str] = (),
        description: str | None = None,
        guardrails: Mapping[str, Any] | None = None,
    ) -> StackDefinition:
        """Change some of a stack.

        Args:
            name: the stack.
            components: those to put in the place of what is there.
            remove: types of components to take out.
            description: None leaves it.
            guardrails: those to change; a value of None takes one away.

        Raises:
            BadInput: there is no such stack or component, or what is left is no stack.
        """
        self.refuse_built_in(name, "update")
        with self.files.locked():
            before = self.files.stack(name)
            members = {**before.components, **self._spelled(components or {})}
            for type_ in remove:
                if type_ in REQUIRED:
                    raise BadInput(f"a stack has {one(type_)}", hint="name another one instead", id="bad-definition")
                if type_ not in members:
                    raise BadInput(f"stack {name!r} has no {title(type_)}", id="unknown-component")
                del members[type_]
            rules = {**before.guardrails, **(guardrails or {})}
            stack = StackDefinition(
                name,
                members,
                before.description if description is None else description,
                {key: value for key, value in rules.items() if value is not None},
                level=before.level,
            )
            self._check(stack)
            self.files.write(stack, new=False)
        return self.files.stack(name)

    def rename_stack(self, name: str, new_name: str) -> StackDefinition:
        """Give a stack another name; where it is active it stays so.

        Raises:
            BadInput: there is no such stack, or one of the new name.
        """
        self.refuse_built_in(name, "rename")
        with self.files.locked():
            before = self.files.stack(name)
            self.files.write(replace(before, name=new_name), new=True)
            self.files.delete_stack(name)
            forget(name, new_name, self._start)
        return self.files.stack(new_name)

    def copy_stack(self, name: str, new_name: str) -> StackDefinition:
        """A new stack with the components and guardrails of another.

        Raises:
            BadInput: there is no such stack, or one of the new name.
        """
        with self.files.locked():
            copy = replace(self.files.stack(name), name=new_name, level=self.files.level)
            for type_, member in copy.members():
                self.files.component(type_, member, copy.level)
            self.files.write(copy, new=True)
        return self.files.stack(new_name)

    def delete_stack(self, name: str, *, components: bool = False) -> list[tuple[str, str]]:
        """Delete a stack, and if asked those of its components that no other stack has.

        Returns:
            Type and name of the components that were deleted.

        Raises:
            BadInput: there is no such stack, or it is the built-in one.
        """
        self.refuse_built_in(name, "delete")
        with self.files.locked():
            members = list(self.files.stack(name).members()) if components else []
            if not components:
                self._there("stack", name, self.files.stack_names())
            self.files.delete_stack(name)
            forget(name, None, self._start)
            gone = [
                (type_, member)
                for type_, member in members
                if member != DEFAULT and not self.files.stacks_with(type_, member)
            ]
            for type_, member in gone:
                self.files.delete_component(type_, member)
        return gone

    def activate(self, name: str, *, user: bool = False) -> Path:
        """Make a stack the active one, for the project or for the user; returns the file that says so.

        Raises:
            BadInput: there is no such stack.
        """
        from crossdock.stacks.files import project_folder, user_folder

        self._there("stack", name, self.files.stack_names())
        folder = None if user else project_folder(self._start)
        with DefinitionFiles(self._start, user=folder is None).locked():
            self._there("stack", name, self.files.stack_names())
            return activate(name, folder or user_folder())

    def stack(self, given: str | None = None) -> StackDefinition:
        """A stack, or the active one where none is given.

        Raises:
            BadInput: it is not there, or its file is damaged.
        """
        active = self.active(given)
        names = self.files.stack_names()
        if not given and active.name not in names:
            raise BadInput(
                f"there is no stack {active.name!r}, which is the active one by {active.decided_by}",
                hint=f"crossdock stack set NAME; {did_you_mean(active.name, names)}",
                id="unknown-stack",
            )
        return self.files.stack(active.name)

    def member(self, stack: StackDefinition, type_: str, name: str) -> ComponentDefinition | BadInput:
        """A component of a stack, or the error that says why there is none."""
        return or_error(self.files.component, type_, name, stack.level)

    def build(self, name: str) -> Stack:
        """A stack with its components, ready for use.

        Raises:
            BadInput: it is not there, or cannot be used; has every problem at once.
        """
        return self._check(self.files.stack(name))

    def why_not(self, name: str) -> BadInput | None:
        """What keeps a stack from being used."""
        try:
            self.build(name)
        except BadInput as error:
            return error
        return None

    # Export and import

    def export_stack(self, name: str) -> dict[str, Any]:
        """A stack and its components as one document; secrets are references in it, as in their files.

        Raises:
            BadInput: there is no such stack, or the configuration of a component is not what its flavor takes, as
                a secret that stands in a file.
        """
        stack = self.files.stack(name)
        parts = [
            self.files.component(type_, member, stack.level) for type_, member in stack.members() if member != DEFAULT
        ]
        for part in parts:
            check_component(part)
        return exported(stack, parts)

    def import_stack(self, file: Path, name: str | None = None) -> StackDefinition:
        """Define what `export_stack` gave; components that are there and equal are used as they are.

        Args:
            file: YAML or JSON with the document.
            name: another name for the stack.

        Raises:
            BadInput: it is no such document, or something else of the same name is there.
        """
        found = read_exported(file, name)
        stack = replace(found.stack, level=self.files.level)
        with self.files.locked():
            new = [part for part in found.components if self._is_new(part, found.shown)]
            for part in new:
                check_component(part)
            self._check(stack, new)
            self.files.refuse_taken(stack)
            for part in new:
                level = stack.level
                self.files.write(
                    ComponentDefinition(part.type, part.name, part.flavor, part.config, level=level), new=True
                )
            self.files.write(stack, new=True)
        return self.files.stack(stack.name)

    def _is_new(self, part: ComponentDefinition, where: str) -> bool:
        if part.name not in self.files.component_names(part.type):
            return True
        there = self.files.component(part.type, part.name)
        if there.document() != part.document():
            raise BadInput(
                f"there is another {title(part.type)} {part.name!r} already",
                where=where,
                hint=f"rename one of them: crossdock {dashed(part.type)} rename {part.name} NEW",
                id="name-taken",
            )
        return False

    # What must hold

    def _spelled(self, components: Members) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for given, names in components.items():
            type_ = component_type(given)
            found[type_] = (names,) if isinstance(names, str) else tuple(names)
            if len(found[type_]) > 1 and type_ not in SEVERAL:
                raise BadInput(f"a stack has one {title(type_)}, not {len(found[type_])}", id="bad-definition")
        return {type_: found[type_] for type_ in COMPONENT_TYPES if found.get(type_)}

    def _check(self, stack: StackDefinition, more: Sequence[ComponentDefinition] = ()) -> Stack:
        """A stack with its components; what could not be used is not written."""
        from crossdock.stacks.files import project_folder
        from crossdock.stacks.resolve import build_stack

        extra = {(part.type, part.name): part for part in more}
        folder = project_folder(self._start)
        return build_stack(
            stack,
            lambda type_, name: extra.get((type_, name)) or self.files.component(type_, name, stack.level),
            folder.parent if folder else None,
        )

    def _there(self, what: str, name: str, names: Sequence[str], type_: str | None = None) -> None:
        if name not in names:
            command = f"crossdock {type_.replace('_', '-')} register {name} …" if type_ and not names else None
            raise BadInput(
                f"there is no {what} {name!r}",
                hint=command or did_you_mean(name, tuple(names)),
                id="unknown-stack" if what == "stack" else "unknown-component",
            )
