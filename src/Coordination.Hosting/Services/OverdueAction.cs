namespace Coordination;

/// <summary>What a node does about work that goes on too long after its lease was lost. A warning is logged in any case.</summary>
public enum OverdueAction
{
    /// <summary>Nothing more: the warning is repeated until the work has returned. The default.</summary>
    Warn,

    /// <summary>
    /// The host stops and does not wait for that work: the end of the process ends it. Other services are awaited as always. The process ends with
    /// exit code 1, where its program returns none and has set none in <see cref="Environment.ExitCode"/>. Have something start it again.
    /// </summary>
    StopHost,

    /// <summary>
    /// The process ends at once, with exit code 70, and with it all that runs in it: the one sure end of work that ignores its token. Nothing is
    /// awaited. Have something start the process again.
    /// </summary>
    EndProcess,
}
