#!/usr/bin/env bash
# Runs pgmedic once, and ends with its exit code. In a GitHub workflow, the report is also in the summary of the job.
set -euo pipefail

code=0
# shellcheck disable=SC2086  # one argument per word
report=$(pgmedic --once ${GATE_ARGUMENTS---dry-run}) || code=$?
printf '%s\n' "$report"
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    {
        printf '### pgmedic\n\n'
        # Indented, as no name can end such a block.
        printf '%s\n' "$report" | sed 's/^/    /'
    } >>"$GITHUB_STEP_SUMMARY"
fi
if [ -n "${GITHUB_OUTPUT:-}" ]; then echo "exit-code=$code" >>"$GITHUB_OUTPUT"; fi
if [ "$code" = 3 ]; then echo "::error::pgmedic: problems remain, see the report" >&2; fi
exit "$code"
