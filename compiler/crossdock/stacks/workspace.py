"""Every verb on stacks and components; the client and the command line call it and nothing below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossdock.dsl.errors import BadInput, did_you_mean
from crossdock.stacks.active import Active, activate, active_stack, forget
from crossdock.stacks.definitions import (
    COMPONENT_TYPES,
    DEFAULT,
    GUARDRAILS,
    REQUIRED,
    SEVERAL,
    ComponentDefinition,
    StackDefinition,
    title,
)
from crossdock.stacks.files import DefinitionFiles

if TYPE_CHECKING:
    from crossdock.stacks.base import Stack

Members = Mapping[str, str | Sequence[str]]
"""Names of components by type."""


class Workspace:
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
        """All stacks.

        Raises:
            BadInput: a file is damaged; the message names it.
        """
        return [self.files.stack(name) for name in self.files.stack_names()]

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
                raise BadInput(f"a stack has an {title(type_)}", hint=f"{flag} NAME, one of: {names}")
        with self.files.locked():
            stack = StackDefinition(name, self._members(components), description, dict(guardrails or {}))
            self._check(stack)
            self.files.write_stack(stack, new=True)
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
        self._refuse_built_in(name, "update")
        with self.files.locked():
            before = self.files.stack(name)
            members = {**before.components, **self._members(components or {})}
            for type_ in remove:
                if type_ in REQUIRED:
                    raise BadInput(f"a stack has an {title(type_)}", hint="name another one instead")
                if type_ not in members:
                    raise BadInput(f"stack {name!r} has no {title(type_)}")
                del members[type_]
            rules = {**before.guardrails, **(guardrails or {})}
            stack = StackDefinition(
                name,
                members,
                before.description if description is None else description,
                {key: value for key, value in rules.items() if value is not None},
            )
            self._check(stack)
            self.files.write_stack(stack, new=False)
        return self.files.stack(name)

    def rename_stack(self, name: str, new_name: str) -> StackDefinition:
        """Give a stack another name; where it is active it stays so.

        Raises:
            BadInput: there is no such stack, or one of the new name.
        """
        self._refuse_built_in(name, "rename")
        with self.files.locked():
            before = self.files.stack(name)
            self.files.write_stack(_renamed(before, new_name), new=True)
            self.files.delete_stack(name)
            forget(name, new_name, self._start)
        return self.files.stack(new_name)

    def copy_stack(self, name: str, new_name: str) -> StackDefinition:
        """A new stack with the components and guardrails of another.

        Raises:
            BadInput: there is no such stack, or one of the new name.
        """
        with self.files.locked():
            self.files.write_stack(_renamed(self.files.stack(name), new_name), new=True)
        return self.files.stack(new_name)

    def delete_stack(self, name: str, *, components: bool = False) -> list[tuple[str, str]]:
        """Delete a stack, and if asked those of its components that no other stack has.

        Returns:
            Type and name of the components that were deleted.

        Raises:
            BadInput: there is no such stack, or it is the built-in one.
        """
        self._refuse_built_in(name, "delete")
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
        if folder is not None:
            with self.files.locked():
                return activate(name, folder)
        return activate(name, user_folder())

    def build(self, name: str) -> Stack:
        """A stack with its components, ready for use.

        Raises:
            BadInput: it is not there, or cannot be used; has every problem at once.
        """
        from crossdock.stacks.resolve import build_stack

        return build_stack(self.files.stack(name), self.files.component)

    # Components

    def components(self, type_: str | None = None) -> list[ComponentDefinition]:
        """All components, or those of a type.

        Raises:
            BadInput: there is no such type, or a file is damaged.
        """
        types = COMPONENT_TYPES if type_ is None else (component_type(type_),)
        return [self.files.component(found, name) for found in types for name in self.files.component_names(found)]

    def create_component(
        self, type_: str, name: str, flavor: str, config: Mapping[str, Any] | None = None
    ) -> ComponentDefinition:
        """Define a component.

        Raises:
            BadInput: there is one of that name, no such flavor, or the configuration is not what it takes.
        """
        component = ComponentDefinition(component_type(type_), name, flavor, dict(config or {}))
        checked = _checked(component)
        with self.files.locked():
            self.files.write_component(checked, new=True)
        return self.files.component(checked.type, name)

    def update_component(
        self, type_: str, name: str, config: Mapping[str, Any], *, remove: Iterable[str] = ()
    ) -> ComponentDefinition:
        """Change some of a component's configuration.

        Raises:
            BadInput: there is no such component, or the configuration is not what its flavor takes.
        """
        type_ = component_type(type_)
        self._refuse_built_in(name, "update", type_)
        with self.files.locked():
            before = self.files.component(type_, name)
            body = {**before.config, **config}
            for key in remove:
                if key not in body:
                    raise BadInput(f"{title(type_)} {name!r} sets no {key!r}", hint=did_you_mean(key, tuple(body)))
                del body[key]
            self.files.write_component(_checked(ComponentDefinition(type_, name, before.flavor, body)), new=False)
        return self.files.component(type_, name)

    def rename_component(self, type_: str, name: str, new_name: str) -> ComponentDefinition:
        """Give a component another name, in the stacks that have it too.

        Raises:
            BadInput: there is no such component, or one of the new name.
        """
        type_ = component_type(type_)
        self._refuse_built_in(name, "rename", type_)
        with self.files.locked():
            before = self.files.component(type_, name)
            self.files.write_component(ComponentDefinition(type_, new_name, before.flavor, before.config), new=True)
            for stack_name in self.files.stacks_with(type_, name):
                stack = self.files.stack(stack_name)
                names = tuple(new_name if found == name else found for found in stack.components[type_])
                members = {**stack.components, type_: names}
                changed = StackDefinition(stack.name, members, stack.description, stack.guardrails)
                self.files.write_stack(changed, new=False)
            self.files.delete_component(type_, name)
        return self.files.component(type_, new_name)

    def copy_component(self, type_: str, name: str, new_name: str) -> ComponentDefinition:
        """A new component with the flavor and configuration of another.

        Raises:
            BadInput: there is no such component, or one of the new name.
        """
        type_ = component_type(type_)
        with self.files.locked():
            before = self.files.component(type_, name)
            self.files.write_component(ComponentDefinition(type_, new_name, before.flavor, before.config), new=True)
        return self.files.component(type_, new_name)

    def delete_component(self, type_: str, name: str) -> None:
        """Delete a component.

        Raises:
            BadInput: there is none, it is built in, or a stack has it.
        """
        type_ = component_type(type_)
        self._refuse_built_in(name, "delete", type_)
        with self.files.locked():
            self._there(title(type_), name, self.files.component_names(type_))
            stacks = self.files.stacks_with(type_, name)
            if stacks:
                raise BadInput(
                    f"{title(type_)} {name!r} is part of the stacks {', '.join(stacks)}",
                    hint=f"crossdock stack update {stacks[0]} --{type_.replace('_', '-')} OTHER, or delete the stacks",
                )
            self.files.delete_component(type_, name)

    # Export and import

    def export_stack(self, name: str) -> dict[str, Any]:
        """A stack and its components as one document; secrets are references in it, as in their files."""
        stack = self.files.stack(name)
        parts = [self.files.component(type_, member) for type_, member in stack.members() if member != DEFAULT]
        return {
            "crossdock": 1,
            "stack": {"name": stack.name, **stack.document()},
            "components": [{"type": part.type, "name": part.name, **part.document()} for part in parts],
        }

    def import_stack(self, body: Any, where: str, name: str | None = None) -> StackDefinition:
        """Define what `export_stack` gave; components that are there and equal are used as they are.

        Args:
            body: the document.
            where: the file it is from.
            name: another name for the stack.

        Raises:
            BadInput: it is no such document, or something else of the same name is there.
        """
        if not isinstance(body, dict) or body.get("crossdock") != 1 or not isinstance(body.get("stack"), dict):
            raise BadInput("this is no exported stack", where=where, hint="crossdock stack export NAME -o FILE")
        about = dict(body["stack"])
        parts = [_part(item, where) for item in body.get("components", ())]
        about.pop("name", None)
        with self.files.locked():
            stack = StackDefinition(
                name or str(body["stack"].get("name")),
                self._spelled(about.get("components", {})),
                str(about.get("description", "")),
                {key: about[key] for key in GUARDRAILS if key in about},
            )
            new = [part for part in parts if self._is_new(part, where)]
            if stack.name in self.files.stack_names():
                raise BadInput(f"there is a stack {stack.name!r} already", hint="import it under another name")
            self._check(stack, parts)
            for part in new:
                self.files.write_component(_checked(part), new=True)
            self.files.write_stack(stack, new=True)
        return self.files.stack(stack.name)

    def _is_new(self, part: ComponentDefinition, where: str) -> bool:
        if part.name not in self.files.component_names(part.type):
            return True
        there = self.files.component(part.type, part.name)
        if there.document() != part.document():
            raise BadInput(
                f"there is another {title(part.type)} {part.name!r} already",
                where=where,
                hint=f"rename one of them: crossdock {part.type.replace('_', '-')} rename {part.name} NEW",
            )
        return False

    # What must hold

    def _members(self, components: Members) -> dict[str, tuple[str, ...]]:
        found = self._spelled(components)
        for type_, names in found.items():
            for name in names:
                self._there(title(type_), name, self.files.component_names(type_), type_)
        return found

    def _spelled(self, components: Members) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for given, names in components.items():
            type_ = component_type(given)
            found[type_] = (names,) if isinstance(names, str) else tuple(names)
            if len(found[type_]) > 1 and type_ not in SEVERAL:
                raise BadInput(f"a stack has one {title(type_)}, not {len(found[type_])}")
        return {type_: found[type_] for type_ in COMPONENT_TYPES if found.get(type_)}

    def _check(self, stack: StackDefinition, more: Sequence[ComponentDefinition] = ()) -> None:
        """A stack that could not be used is not written."""
        from crossdock.stacks.resolve import build_stack

        extra = {(part.type, part.name): part for part in more}
        build_stack(stack, lambda type_, name: extra.get((type_, name)) or self.files.component(type_, name))

    def _there(self, what: str, name: str, names: Sequence[str], type_: str | None = None) -> None:
        if name not in names:
            command = f"crossdock {type_.replace('_', '-')} register {name} …" if type_ and not names else None
            raise BadInput(f"there is no {what} {name!r}", hint=command or did_you_mean(name, tuple(names)))

    def _refuse_built_in(self, name: str, verb: str, type_: str | None = None) -> None:
        if name != DEFAULT or (type_ is not None and type_ not in REQUIRED):
            return
        what = title(type_) if type_ else "stack"
        copy = f"{type_.replace('_', '-')} copy" if type_ else "stack copy"
        raise BadInput(f"the {what} {DEFAULT!r} is built in: no {verb}", hint=f"crossdock {copy} {DEFAULT} NEW")


def component_type(text: str) -> str:
    """A component type in either spelling, `artifact-store` or `artifact_store`.

    Raises:
        BadInput: there is none.
    """
    found = text.replace("-", "_")
    if found not in COMPONENT_TYPES:
        raise BadInput(f"there is no component type {text!r}", hint=did_you_mean(found, COMPONENT_TYPES))
    return found


def _checked(component: ComponentDefinition) -> ComponentDefinition:
    """A component whose flavor takes its configuration."""
    from crossdock.stacks.resolve import build_component

    build_component(component)
    return component


def _renamed(stack: StackDefinition, name: str) -> StackDefinition:
    return StackDefinition(name, stack.components, stack.description, stack.guardrails)


def _part(item: Any, where: str) -> ComponentDefinition:
    known = {"type", "name", "flavor", "config"}
    if not isinstance(item, dict) or not {"type", "name", "flavor"} <= set(item) <= known:
        raise BadInput(f"not a component: {item!r}", where=where, hint="it has a type, a name, a flavor and a config")
    return ComponentDefinition(
        component_type(str(item["type"])), str(item["name"]), str(item["flavor"]), dict(item.get("config") or {})
    )
