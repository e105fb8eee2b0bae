"""Run queries by their plans, and everything else on graphql-core."""

from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult

from db.engine.read_transaction import SecondStatementError
from resolvers.execution.operation import Execution, OperationExecutor, ResponseTooLargeError
from resolvers.execution.plan import Plan
from resolvers.execution.plan_cache import PlanCache
from resolvers.execution.run import PlanRun


class SizedResult(ExecutionResult):
    """Result of a compiled query, with the number of its objects and the maximum of its bytes as JSON."""

    def __init__(self, data: dict[str, Any], object_count: int, max_bytes: int) -> None:
        super().__init__(data, None)
        self.object_count = object_count
        self.max_bytes = max_bytes


@dataclass(frozen=True)
class CompiledExecutor:
    """Run queries by their plans, and fall back to graphql-core's executor. It is created only then, because that takes 6 to 12 µs."""

    plan_cache: PlanCache

    def on_fallback(self, reason: Exception) -> None:
        """Do nothing. Override this method to observe why operations fall back to graphql-core."""

    async def execute(self, execution: Execution) -> ExecutionResult:
        """Run the operation. Raises `ResponseTooLargeError` if the response would have too many objects."""
        plan = self.plan_cache.get_or_compile(execution, self.on_fallback)
        return (plan and await self._run_plan(plan, execution)) or await OperationExecutor.execute(execution)

    async def _run_plan(self, plan: Plan, execution: Execution) -> ExecutionResult | None:
        """Run a plan. Return None to fall back to graphql-core, which fails again and reports the exact error."""
        context = execution.context
        if plan.has_one_query:
            context.expect_one_statement()
        try:
            try:
                return await _execute(plan, execution)
            except SecondStatementError:  # the query took a second statement, which the plan does not show
                await context.restart_reads()
                return await _execute(plan, execution)
        except ResponseTooLargeError:
            raise
        except Exception as reason:  # noqa: BLE001 graphql-core reports any error
            self.on_fallback(reason)
            await context.disable_batching()  # queries in one batch fail together; graphql-core fails each field alone
            return None


async def _execute(plan: Plan, execution: Execution) -> ExecutionResult:
    run = PlanRun(plan, execution)
    return SizedResult(await run.execute(), run.object_count, run.max_bytes)
