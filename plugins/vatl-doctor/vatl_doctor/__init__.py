"""Whether this machine has what vatl needs, and what to do where it has not."""

from vatl_doctor.findings import Finding, advice, fine, wrong

__all__ = ["Finding", "advice", "fine", "wrong"]
