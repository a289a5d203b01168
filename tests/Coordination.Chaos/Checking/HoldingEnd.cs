namespace Coordination.Chaos.Checking;

/// <summary>How a belief ended.</summary>
internal enum HoldingEnd
{
    /// <summary>It was released.</summary>
    Released,

    /// <summary>The holder was told that it is lost.</summary>
    Lost,

    /// <summary>The process ended.</summary>
    Died,
}
