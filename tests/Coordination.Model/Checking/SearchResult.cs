namespace Coordination.Model.Checking;

/// <summary>What a search found.</summary>
/// <param name="Errors">How many counterexamples: none or one, for it ends at the first.</param>
/// <param name="States">How many states were looked at.</param>
/// <param name="Output">What it said.</param>
internal sealed record SearchResult(int Errors, double States, string Output)
{
    /// <summary>Nothing is wrong in any state.</summary>
    /// <param name="atLeast">How many states there have to be; fewer would mean that the model does next to nothing.</param>
    public void Holds(double atLeast)
    {
        Assert.True(Errors == 0, Output);
        Assert.True(States >= atLeast, Output);
    }

    /// <summary>There is a run that violates an assertion.</summary>
    /// <param name="promises">What the assertion is about, one of these.</param>
    public void IsRefuted(params string[] promises)
    {
        Assert.True(Errors == 1 && Output.Contains("assertion violated", StringComparison.Ordinal), Output);
        Assert.Contains(promises, promise => Output.Contains(promise, StringComparison.Ordinal));
    }

    /// <summary>There is an endless run in which a waiter is never served.</summary>
    public void Starves() => Assert.True(Errors == 1 && Output.Contains("acceptance cycle", StringComparison.Ordinal), Output);
}
