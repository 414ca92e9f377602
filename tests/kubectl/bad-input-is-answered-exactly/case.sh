# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
# Every refusal has its exact code and reason, and no flood of nonsense hurts who asks properly.
export KUBECONFIG WORK NS PYTHONDONTWRITEBYTECODE=1
python3 table.py
python3 flood.py "$(cat "$WORK/server.pid")"
