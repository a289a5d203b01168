namespace Coordination.TestKit.Network;

/// <summary>What a proxy does with what it carries.</summary>
public enum ProxyMode
{
    Pass,

    /// <summary>Delays replies, which are then older than they look.</summary>
    Delay,

    DropReplies,

    DropRequests,

    /// <summary>Drops both ways.</summary>
    BlackHole,

    /// <summary>Keeps everything until the mode ends, and delivers it then.</summary>
    Stall,

    /// <summary>Cuts a connection when the reply to a script of Redis or to a commit of PostgreSQL comes, and drops the reply.</summary>
    CutAfterWrite,
}
