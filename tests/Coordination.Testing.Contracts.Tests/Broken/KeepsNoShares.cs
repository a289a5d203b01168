using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Testing.Contracts.Tests.Broken;

/// <summary>Keeps exclusive locks only, and says so.</summary>
internal sealed class KeepsNoShares(ILockStore inner) : DelegatingLockStore(inner)
{
    public override bool KeepsShares => false;
}
