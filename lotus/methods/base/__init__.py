"""Methods: the task that one is given, the model that it gives back, and how it is found.

A method is a frozen dataclass of hyper-parameters with one function of a task:

    @register("my-method")
    @dataclass(frozen=True)
    class MyMethod:
        '''One line on the idea. More: see `Described`.'''

        epochs: PositiveInt = 10

        def unlearn(self, task: Task) -> nn.Module: ...

Its fields are its configuration: unknown and ill-typed keys are refused. A file of `lotus/methods` is
found by itself; another package names its methods under the entry point group `lotus.methods`; a
single file or module is named under `plugins` in the configuration (docs/own-method.md).
"""

from lotus.methods.base.registry import register
from lotus.methods.base.task import Method, Task, sgd_or_adam

__all__ = ["Method", "Task", "register", "sgd_or_adam"]
