"""Every fault: the one table."""

from tests.chaos.faults import asterisks, clocks, disks, mixtures, processes, webs
from tests.chaos.faults.fault import Fault, Scene

FAULTS: tuple[type[Fault], ...] = (
    processes.GatewayKilled,
    processes.GatewayStopped,
    processes.SecondServe,
    processes.CommandsBeside,
    processes.OutOfMemoryKill,
    processes.MemoryRunsOut,
    processes.DescriptorsRunOut,
    disks.DiskFull,
    disks.DiskFullKilled,
    disks.FileLimit,
    disks.ReadOnly,
    disks.Locked,
    disks.Corrupt,
    asterisks.AsteriskKilled,
    asterisks.AsteriskStalls,
    asterisks.CarrierSilent,
    asterisks.LinkCut,
    asterisks.CutInOriginate,
    asterisks.CutInAnswer,
    asterisks.LinkStalls,
    asterisks.LinkCrawls,
    asterisks.SessionBreaks,
    asterisks.TapDies,
    asterisks.EventsDoubled,
    asterisks.EventsReordered,
    asterisks.EventsLost,
    asterisks.HangupUntold,
    asterisks.OriginateUnheard,
    asterisks.OriginateRefused,
    asterisks.AgiSilent,
    asterisks.AgiNever,
    asterisks.TapNever,
    asterisks.ResponseFirst,
    asterisks.ShuttingDown,
    webs.StartHangs,
    webs.StartResets,
    webs.StartDrips,
    webs.StartFails,
    webs.StartFloods,
    webs.StartCircles,
    webs.ResultHangs,
    webs.ResultResets,
    webs.ResultDrips,
    webs.ResultFloods,
    webs.ResultCircles,
    webs.ResultFailsForHours,
    webs.ResultGivenUp,
    webs.NamesFail,
    clocks.ClockSteps,
    clocks.SummerTimeEnds,
    clocks.SummerTimeBegins,
    mixtures.KilledAmid,
)
mixtures.KilledAmid.others = tuple(
    fault for fault in FAULTS if issubclass(fault, asterisks.Outside | webs.Moody) and not fault.settings
)
BY_NAME = {fault.name: fault for fault in FAULTS}

__all__ = ["BY_NAME", "FAULTS", "Fault", "Scene"]
