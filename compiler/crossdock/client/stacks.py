"""The client's side of stacks, components and flavors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from crossdock.client.listing import Listing
from crossdock.dsl.errors import BadInput, did_you_mean
from crossdock.dsl.frozen import frozen
from crossdock.stacks.definitions import COMPONENT_TYPES, GUARDRAILS, ComponentDefinition, StackDefinition, title
from crossdock.stacks.workspace import Workspace

if TYPE_CHECKING:
    from crossdock.client.runs import Output, Run
    from crossdock.stacks import Stack

T = TypeVar("T")
Names = str | Sequence[str]


@frozen
class Flavor:
    """A flavor that components can have.

    Attributes:
        type: the component type.
        name: the flavor's name.
        says: what it says of itself, in a line.
        extra: the optional dependency group that it needs, or None.
        settings: name, type, default and description of each of its settings.
    """

    type: str
    name: str
    says: str
    extra: str | None
    settings: tuple[Mapping[str, Any], ...]


class Stacks:
    """Everything that `crossdock stack`, `crossdock <component type>` and `crossdock flavor` do.

    Attributes:
        workspace: the stacks and components that hold here.
    """

    workspace: Workspace
    _given: str | None
    _stack: Stack | None

    # Stacks

    @property
    def active_stack(self) -> StackDefinition:
        """The stack that this client uses: the one it was made with, else the active one.

        Raises:
            BadInput: there is none of that name, or its file is damaged.
        """
        own = self._stack is not None and not self._built
        return self.workspace.stack(self._stack.name if self._stack is not None and own else self._given)

    def list_stacks(self) -> Listing[StackDefinition]:
        """All stacks, `default` first. A file that cannot be read is named in `.damaged` and in the repr."""
        active = self.workspace.active(self._given).name
        items, damaged = _parted(self.workspace.survey())

        def row(item: StackDefinition) -> tuple[str, ...]:
            mark = "*" if item.name == active else ""
            return mark, item.name, item.orchestrator, item.artifact_store, item.level

        return Listing(items, ("", "stack", "orchestrator", "artifact store", "where"), row, damaged)

    def get_stack(self, name: str) -> StackDefinition:
        """A stack by its name.

        Raises:
            BadInput: there is none, or its file is damaged.
        """
        return self.workspace.stack(name)

    def create_stack(
        self,
        name: str,
        *,
        orchestrator: str,
        artifact_store: str,
        container_registry: str | None = None,
        step_operator: Names | None = None,
        model_deployer: str | None = None,
        experiment_tracker: str | None = None,
        feature_store: str | None = None,
        alerter: str | None = None,
        annotator: str | None = None,
        description: str = "",
        protected: bool = False,
        limits: Mapping[str, float | str] | None = None,
        allow: Mapping[str, Sequence[str]] | None = None,
        deny: Mapping[str, Sequence[str]] | None = None,
        require_clean_git: bool = False,
        require_reviewed: bool = False,
        activate: bool = False,
    ) -> StackDefinition:
        """Define a stack of components that are registered.

        Args:
            name: its name.
            orchestrator: name of its orchestrator.
            artifact_store: name of its artifact store.
            container_registry: name of its container registry.
            step_operator: name of its step operator, or a list of them.
            model_deployer: name of its model deployer.
            experiment_tracker: name of its experiment tracker.
            feature_store: name of its feature store.
            alerter: name of its alerter.
            annotator: name of its annotator.
            description: what it is for.
            protected: submitting needs `confirm=<name>`.
            limits: the most that tasks may ask for, by `cpu`, `memory`, `gpu`, `timeout`, and `tasks` of a pipeline.
            allow: patterns of `users` and `branches` that may submit.
            deny: patterns of `users` and `branches` that may not.
            require_clean_git: submit only what is committed.
            require_reviewed: submit only exported bundles.
            activate: make it the active stack.

        Raises:
            BadInput: there is one of that name, a component is not there, or they do not fit; has every problem.
        """
        given = locals()
        rules = {
            "protected": protected,
            "limits": limits,
            "allow": allow,
            "deny": deny,
            "require_clean_git": require_clean_git,
            "require_reviewed": require_reviewed,
        }
        found = self.workspace.create_stack(
            name,
            {type_: given[type_] for type_ in COMPONENT_TYPES if given[type_]},
            description=description,
            guardrails={key: _plain(value) for key, value in rules.items() if value},
        )
        if activate:
            self.activate_stack(name)
        return found

    def update_stack(
        self,
        name: str,
        *,
        remove: Iterable[str] = (),
        description: str | None = None,
        **changes: Any,
    ) -> StackDefinition:
        """Change some of a stack; the rest stays.

        Args:
            name: the stack.
            remove: component types to take out.
            description: what it is for; None leaves it.
            changes: components by type (`artifact_store="other"`), and guardrails as for `create_stack`, where None
                or False takes one away.

        Raises:
            BadInput: there is no such stack or component, or what is left cannot be used.
            TypeError: there is no such component type or guardrail.
        """
        known = (*COMPONENT_TYPES, *GUARDRAILS)
        for key in changes:
            if key not in known:
                raise TypeError(f"update_stack() has no {key!r}; {did_you_mean(key, known)}")
        self._forget()
        return self.workspace.update_stack(
            name,
            {key: value for key, value in changes.items() if key in COMPONENT_TYPES},
            remove=remove,
            description=description,
            guardrails={key: _plain(value) or None for key, value in changes.items() if key in GUARDRAILS},
        )

    def rename_stack(self, name: str, new_name: str) -> StackDefinition:
        """Give a stack another name; where it is active it stays so.

        Raises:
            BadInput: there is no such stack, or one of the new name.
        """
        self._forget()
        return self.workspace.rename_stack(name, new_name)

    def copy_stack(self, name: str, new_name: str) -> StackDefinition:
        """A new stack with the components and guardrails of another.

        Raises:
            BadInput: there is no such stack, or one of the new name.
        """
        return self.workspace.copy_stack(name, new_name)

    def delete_stack(self, name: str, *, recursive: bool = False) -> None:
        """Delete a stack.

        Args:
            name: the stack.
            recursive: those of its components too that no other stack has.

        Raises:
            BadInput: there is no such stack, or it is the built-in one.
        """
        self._forget()
        self.workspace.delete_stack(name, components=recursive)

    def activate_stack(self, name: str, *, user: bool = False) -> StackDefinition:
        """Make a stack the active one: of the project where there is one, else the user's. This client uses it too.

        Args:
            name: the stack.
            user: for the user everywhere, where a project does not say otherwise.

        Raises:
            BadInput: there is no such stack.
        """
        self.workspace.activate(name, user=user)
        self._stack, self._given = None, name
        return self.workspace.stack(name)

    def export_stack(self, name: str, file: str | Path) -> Path:
        """Write a stack with its components as one file, to import elsewhere; secrets stay references.

        Raises:
            BadInput: there is no such stack, or the file cannot be written.
        """
        from crossdock.stacks.documents import dump
        from crossdock.stacks.files import write_atomically

        write_atomically(Path(file), dump(self.workspace.export_stack(name)))
        return Path(file)

    def import_stack(self, file: str | Path, *, name: str | None = None) -> StackDefinition:
        """Define the stack of an exported file, and those of its components that are not there yet.

        Args:
            file: the file.
            name: another name for the stack.

        Raises:
            BadInput: it is no exported stack, or something else of the same name is there.
        """
        return self.workspace.import_stack(Path(file), name)

    # Components

    def list_components(self, type: str | None = None) -> Listing[ComponentDefinition]:
        """All components, or those of a type such as `artifact_store`.

        Raises:
            BadInput: there is no such type.
        """
        items, damaged = _parted(self.workspace.survey_components(type))

        def row(item: ComponentDefinition) -> tuple[str, ...]:
            return title(item.type), item.name, item.flavor, item.level

        return Listing(items, ("type", "name", "flavor", "where"), row, damaged)

    def get_component(self, type: str, name: str) -> ComponentDefinition:
        """A component by its type and name.

        Raises:
            BadInput: there is none, or its file is damaged.
        """
        return self.workspace.component(type, name)

    def create_component(self, type: str, name: str, flavor: str, **config: Any) -> ComponentDefinition:
        """Define a component.

        Args:
            type: its type, e.g. `artifact_store`.
            name: its name.
            flavor: its flavor, see `list_flavors`.
            config: its settings, see `get_flavor(…).settings`; a secret is a reference such as `{"env": "NAME"}`.

        Raises:
            BadInput: there is one of that name, no such flavor, or a setting is not what it takes.
        """
        return self.workspace.create_component(type, name, flavor, config)

    def update_component(
        self, type: str, name: str, *, remove: Iterable[str] = (), **config: Any
    ) -> ComponentDefinition:
        """Change some of a component's settings; the rest stays.

        Args:
            type: its type.
            name: its name.
            remove: settings to take out, so that their defaults hold again.
            config: settings to change.

        Raises:
            BadInput: there is no such component, or a setting is not what its flavor takes.
        """
        self._forget()
        return self.workspace.update_component(type, name, config, remove=remove)

    def rename_component(self, type: str, name: str, new_name: str) -> ComponentDefinition:
        """Give a component another name, in the stacks that have it too.

        Raises:
            BadInput: there is no such component, or one of the new name.
        """
        self._forget()
        return self.workspace.rename_component(type, name, new_name)

    def copy_component(self, type: str, name: str, new_name: str) -> ComponentDefinition:
        """A new component with the flavor and settings of another.

        Raises:
            BadInput: there is no such component, or one of the new name.
        """
        return self.workspace.copy_component(type, name, new_name)

    def delete_component(self, type: str, name: str) -> None:
        """Delete a component.

        Raises:
            BadInput: there is none, it is built in, or a stack has it.
        """
        self.workspace.delete_component(type, name)

    # Flavors

    def list_flavors(self, type: str | None = None) -> Listing[Flavor]:
        """The installed flavors, or those of a component type; each is loaded to say what it is.

        Raises:
            BadInput: there is no such type.
        """
        from crossdock.registry import flavors
        from crossdock.stacks.components import component_type

        types = COMPONENT_TYPES if type is None else (component_type(type),)
        found = [self.get_flavor(type_, name) for type_ in types for name in flavors(type_)]

        def row(item: Flavor) -> tuple[str, ...]:
            return title(item.type), item.name, item.says

        return Listing(found, ("type", "flavor", ""), row)

    def get_flavor(self, type: str, name: str) -> Flavor:
        """A flavor by component type and name.

        Raises:
            BadInput: there is none, or it cannot be loaded.
        """
        from crossdock.stacks.components import component_type
        from crossdock.stacks.fields import about

        found = about(component_type(type), name)
        return Flavor(found["type"], name, found["says"], found["extra"], tuple(found["settings"]))

    # Runs

    def list_runs(self, pipeline: str | None = None, limit: int = 50, *, tag: str | None = None) -> Listing[Run]:
        """The newest runs in the active stack's store.

        Args:
            pipeline: only runs of this pipeline.
            limit: how many; `runs()` gives all of them, one after the other.
            tag: only runs with this tag.
        """
        from crossdock.client.runs import Run
        from crossdock_runtime.summary import summaries

        store = cast(Any, self).store

        def row(item: Run) -> tuple[str, ...]:
            found = item.summary
            created = str(found.document.get("created") or "")[:19].replace("T", " ")
            return item.id, found.pipeline or "", found.status, created, " ".join(found.tags)

        runs = [Run(store, found.run, found) for found in summaries(store, pipeline, tag, limit)]
        return Listing(runs, ("run", "pipeline", "status", "created", "tags"), row)

    def list_artifacts(self, run: str = "latest") -> Listing[Output]:
        """The outputs of a run, by name in its `outputs` too: `get_run(run).outputs["train.model"].load()`.

        Args:
            run: its id, the end of its id, or `latest`.

        Raises:
            BadInput: there is no such run.
        """
        outputs: Mapping[str, Output] = cast(Any, self).get_run(run).outputs
        found = dict(outputs)
        names = {id(item): name for name, item in found.items()}

        def row(item: Output) -> tuple[str, ...]:
            from crossdock_runtime.show import manifest_text

            return names.get(id(item), ""), manifest_text(item.manifest)

        return Listing(found.values(), ("output", ""), row)

    def _forget(self) -> None:
        """What was built of a stack's files is built again when they have changed."""
        if self._built:
            self._stack, self._built = None, False

    _built: bool = False


def _parted(found: Mapping[Any, T | BadInput]) -> tuple[list[T], dict[str, str]]:
    whole = [item for item in found.values() if not isinstance(item, BadInput)]
    damaged = {
        key if isinstance(key, str) else "/".join(key): str(item)
        for key, item in found.items()
        if isinstance(item, BadInput)
    }
    return whole, damaged


def _plain(value: Any) -> Any:
    """Mappings and sequences as a file has them."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [*value] if isinstance(value, (tuple, set, frozenset)) else value
