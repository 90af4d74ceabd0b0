"""Protocol between the studio, the workspace and a job: everything that both ends must agree on.

A job is started with variables (`variables`) and with arguments in one of them. It writes events
(`events`) into a file of its folder (`files`) and reports them by an RPC (`reports`).

Jobs outlive updates of the studio, so names and meanings never change here. New event kinds, fields
and variables can be added: either end ignores those that it does not know.
"""
