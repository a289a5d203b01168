namespace Coordination.Chaos.Checking;

/// <summary>A time in which a process was not scheduled.</summary>
/// <param name="By">The process.</param>
/// <param name="From">From when.</param>
/// <param name="To">Until when.</param>
internal sealed record Gap(string By, TimeSpan From, TimeSpan To)
{
    public TimeSpan Length => To - From;
}
